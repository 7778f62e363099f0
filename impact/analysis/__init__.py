"""Further questions: joint regression, dose, cross-section, calendar time, specification."""
