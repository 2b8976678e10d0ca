"""What a release needs: the tag, the changelog's form, bytes that come out the same again, licences: `make release-check`."""
