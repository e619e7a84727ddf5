"""What a sentiment model can and can't do, capability by capability, asked in sentences made from templates."""
