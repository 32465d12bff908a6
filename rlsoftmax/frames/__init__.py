"""A study as rows and as a labelled array, for other programs. pandas, xarray and pyarrow are imported when used."""
