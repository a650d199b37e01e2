// Package outage adds to service discovery the addresses of files that say whether the server is out of service, and why (XEP-0455). Clients
// keep the addresses, and read the files when they cannot connect, so the files are on other machines and are written by their operators.
package outage
