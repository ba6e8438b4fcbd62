"""What people see of a model: tables, pictures, report.html."""
