"""Mail to patients about their appointments: reminders, changes, and the answers that come back."""
