"""The import machinery: finding, loading, and access to what a namespace holds."""
