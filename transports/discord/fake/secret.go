package fake

import (
	"crypto/rand"
	"encoding/base64"
	"strconv"
)

// secret is a random text of letters, digits, dashes and underscores.
func secret(n int) string {
	b := make([]byte, n)
	rand.Read(b) // never fails
	return base64.RawURLEncoding.EncodeToString(b)[:n]
}

// botToken looks like Discord's: the bot's id, a time and a secret.
func botToken(id ID) string {
	return base64.RawURLEncoding.EncodeToString([]byte(id)) + "." + secret(6) + "." + secret(38)
}

func itoa(n int) string { return strconv.Itoa(n) }
