// Package authentication is the accounts of a host as its SASL server looks them up: their credentials, and how many accounts have
// which shape of them. The latter is read again from time to time, by the goroutine of one login. There is no lock.
package authentication
