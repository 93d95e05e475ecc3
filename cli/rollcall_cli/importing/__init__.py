"""Send a file of records to POST /v1/records: in batches, resumable, in bounded memory."""
