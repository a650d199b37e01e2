// Package authentication is the accounts of a host as its SASL server looks them up: their credentials, and how many accounts have
// which shape of them; and the clients that have logged in, with their tokens. How many accounts have which shape is read again from
// time to time, by the goroutine of one login. The lock of noted is held for no I/O.
//
// Specifications: XEP-0484, XEP-0494.
package authentication
