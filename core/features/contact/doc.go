// Package contact makes the form with the addresses of those who run a server (XEP-0157).
package contact
