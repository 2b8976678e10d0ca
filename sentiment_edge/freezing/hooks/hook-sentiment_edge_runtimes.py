"""Read by PyInstaller for an app that imports the runtime: its data, and its modules, some of which no statement names.

Where platformdirs is not installed, PyInstaller would take the copy inside setuptools, and all of setuptools with it.
"""

from PyInstaller.utils.hooks import check_requirement, collect_data_files, collect_submodules

datas = collect_data_files("sentiment_edge_runtimes")
hiddenimports = collect_submodules("sentiment_edge_runtimes")
excludedimports = [] if check_requirement("platformdirs") else ["platformdirs"]
