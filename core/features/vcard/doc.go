// Package vcard keeps the vCard of each account and shows it to everybody who asks (XEP-0054). It
// has no goroutine and no lock.
package vcard
