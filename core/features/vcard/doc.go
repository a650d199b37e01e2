// Package vcard stores the vCard of each account and returns it to everybody who requests it (XEP-0054).
// It has no goroutine and no lock.
package vcard
