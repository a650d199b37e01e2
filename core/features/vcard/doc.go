// Package vcard keeps the visiting card of each account and shows it to everybody who
// asks (XEP-0054). It has no goroutine and no lock.
package vcard
