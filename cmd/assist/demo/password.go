package demo

import "crypto/rand"

// randomPassword is good enough for an account that lives for minutes: 26 base32 characters, 128 bits or more (crypto/rand.Text).
func randomPassword() string { return rand.Text() }
