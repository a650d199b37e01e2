// Package contact makes the form that tells whom to write to about a server (XEP-0157).
package contact
