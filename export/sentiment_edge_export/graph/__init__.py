"""ONNX graphs: tracing a module, fusing, editing, running and saving."""
