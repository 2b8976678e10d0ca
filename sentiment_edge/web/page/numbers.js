// Figures of an answer.
export function probabilities(logits, activation) {
  if (activation === "sigmoid") return logits.map(logit => 1 / (1 + Math.exp(-logit)));
  const peak = Math.max(...logits);
  const powers = logits.map(logit => Math.exp(logit - peak));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map(power => power / sum);
}

export function largest(values) {
  return values.indexOf(Math.max(...values));
}
