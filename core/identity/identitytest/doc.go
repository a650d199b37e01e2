// Package identitytest has what tests of back ends talk to: an LDAP directory, which is a slapd process of the test, an OpenID Connect
// provider, and an authority for certificates. All listen on the loopback interface only, and end with their test.
package identitytest
