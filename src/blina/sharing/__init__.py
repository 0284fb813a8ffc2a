"""Results of a cohort that may be sent away: counts only, small ones withheld so that nothing gives them back."""
