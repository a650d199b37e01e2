// Package dnstest is a DNS server on loopback for tests. It answers from records in the form of zone files, over UDP and TCP.
package dnstest
