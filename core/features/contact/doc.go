// Package contact adds the contact addresses of the server's administrators to service discovery (XEP-0157).
package contact
