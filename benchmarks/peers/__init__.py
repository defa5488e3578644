"""The servers that Signalbox is measured against."""
