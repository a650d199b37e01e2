// Package boshpeer is a client's end of BOSH (XEP-0124, XEP-0206) for tests.
package boshpeer
