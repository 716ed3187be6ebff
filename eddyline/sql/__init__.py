"""From question to plan: dialect, parse, bind, logical, rules, physical, explain."""
