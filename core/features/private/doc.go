// Package private stores XML of clients (XEP-0049): one element for each namespace and name. Another feature can be the
// source of an element. It has no
// goroutine and no lock.
package private
