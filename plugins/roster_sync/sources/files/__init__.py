"""Files wherever they are: in a zip, a folder, S3, SFTP, or any fsspec address."""
