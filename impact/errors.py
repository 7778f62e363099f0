"""Every way to be wrong, one class each: catch ``ImpactError`` to catch them all."""


class ImpactError(Exception):
    """Base class of every error that impact raises on purpose."""


class DataFileError(ImpactError):
    """A data file is missing, changed, unreadable or breaks one of its rules."""


class EventError(ImpactError):
    """An event row, an event id or a catalogue filter cannot be used."""


class DateError(EventError):
    """A date or time cannot be read in one way only, or lies outside the data."""


class WindowError(ImpactError):
    """An estimation or event window is reversed, overlaps another or reaches outside the study."""


class ReturnsError(ImpactError):
    """Returns, prices or sessions are not a clean, sorted table of numbers by session."""


class BarsError(ImpactError):
    """Five-minute prices are not a clean grid of New York sessions, or do not reach far enough."""


class ModelError(ImpactError):
    """A normal-return model cannot be estimated on what it was given."""


class HistoryError(ImpactError):
    """There are too few sessions before an event for what was asked."""


class VolatilityError(ImpactError):
    """A variance model could not be fitted, or is not available for this series."""


class InferenceError(ImpactError):
    """A test cannot be computed on this study."""


class TableError(ImpactError):
    """A table cannot be laid out or written as asked."""


class FigureError(ImpactError):
    """There is no picture of that name, or it cannot be written."""


class ReportError(ImpactError):
    """The site cannot be built here, or cannot be written where it was asked for."""


class HypothesisError(ImpactError):
    """A hypothesis is not in the register, or the register breaks one of its rules."""


class FetchError(ImpactError):
    """Live prices could not be had; the subclass says why."""


class Offline(FetchError):
    """No connection to the price service could be made."""


class RateLimited(FetchError):
    """The price service asked to be left alone for a while."""


class Refused(FetchError):
    """The price service answered with something other than prices."""


class NoData(FetchError):
    """The price service does not know the ticker, or has no prices for the dates."""


class BadData(FetchError):
    """The price service answered with prices that cannot be right."""


class ChangedData(FetchError):
    """New rows would follow a committed close that the price service contradicts."""
