package certificate

import (
	"crypto/x509"
	"encoding/asn1"
	"net/netip"
	"slices"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	tags "golang.org/x/crypto/cryptobyte/asn1"
	"golang.org/x/net/idna"
)

// Object identifiers of names in certificates.
var (
	oidNames    = asn1.ObjectIdentifier{2, 5, 29, 17}              // RFC 5280 §4.2.1.6
	oidXMPPAddr = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 8, 5} // RFC 6120 §13.7.1.4
	oidSRV      = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 8, 7} // RFC 4985 §2
)

// Services of servers in SRV-IDs (RFC 6120 §13.7.1.2.1, XEP-0368 §2).
var services = []string{"_xmpp-server.", "_xmpps-server."}

// names are those of a certificate that no rule of RFC 5280 covers, in the form of ASCII.
type names struct {
	srv  []string // domains that an SRV-ID names for links between servers
	xmpp []string // domains of XmppAddr
}

// ASCII returns a domain with A-labels in lower case (RFC 9525 §6.3), or an IP address in its usual form.
func ASCII(domain string) (string, error) {
	literal := strings.TrimSuffix(strings.TrimPrefix(domain, "["), "]")
	if ip, err := netip.ParseAddr(literal); err == nil && ip.Zone() == "" {
		return ip.String(), nil
	}
	ascii, err := idna.Lookup.ToASCII(strings.TrimSuffix(domain, "."))
	if err != nil || ascii == "" || len(ascii) > 253 {
		return "", errDomain
	}
	if again, err := idna.Lookup.ToASCII(ascii); err != nil || again != ascii { // text that is not UTF-8, for example
		return "", errDomain
	}
	for label := range strings.SplitSeq(ascii, ".") {
		if label == "" || len(label) > 63 {
			return "", errDomain
		}
	}
	return strings.ToLower(ascii), nil
}

func canonical(hosts []string) (all []string) {
	for _, h := range hosts {
		if ascii, err := ASCII(h); err == nil {
			all = append(all, ascii)
		}
	}
	return all
}

// named reports whether the certificate's names include the domain, or a host to which it was delegated.
func (c *check) named(paths [][]*x509.Certificate) bool {
	if matchHost(c.leaf, c.domain) {
		return true
	}
	if slices.ContainsFunc(c.hosts, func(h string) bool { return matchHost(c.leaf, h) }) {
		return true
	}
	if !slices.Contains(c.presented.srv, c.domain) && !slices.Contains(c.presented.xmpp, c.domain) {
		return false
	}
	// Constraints on DNS names do not cover other kinds of names: an authority that may sign for some
	// domains only could sign for all of them in this way.
	return slices.ContainsFunc(paths, func(path []*x509.Certificate) bool { return !slices.ContainsFunc(path, constrained) })
}

func constrained(c *x509.Certificate) bool {
	return len(c.PermittedDNSDomains) > 0 || len(c.ExcludedDNSDomains) > 0
}

// matchHost reports whether a DNS-ID or IP-ID of the certificate is the host (RFC 9525 §6.3, §6.4).
func matchHost(leaf *x509.Certificate, host string) bool {
	if ip, err := netip.ParseAddr(host); err == nil {
		for _, presented := range leaf.IPAddresses[:min(len(leaf.IPAddresses), maxNames)] {
			if a, ok := netip.AddrFromSlice(presented); ok && a.Unmap() == ip.Unmap() {
				return true
			}
		}
		return false
	}
	for _, presented := range leaf.DNSNames[:min(len(leaf.DNSNames), maxNames)] {
		if matchDNS(presented, host) {
			return true
		}
	}
	return false
}

// matchDNS compares a presented DNS-ID with a host. A wildcard is a whole label, the first one, and stands for exactly one label.
func matchDNS(presented, host string) bool {
	if rest, wildcard := strings.CutPrefix(presented, "*."); wildcard {
		label, parent, ok := strings.Cut(host, ".")
		return ok && label != "" && rest != "" && strings.EqualFold(rest, parent)
	}
	return strings.EqualFold(presented, host)
}

// namesOf reads the names of a certificate that package x509 passes over.
func namesOf(leaf *x509.Certificate) (n names) {
	for _, extension := range leaf.Extensions {
		if !extension.Id.Equal(oidNames) {
			continue
		}
		all := cryptobyte.String(extension.Value)
		if !all.ReadASN1(&all, tags.SEQUENCE) {
			return names{}
		}
		for range maxNames {
			var name cryptobyte.String
			var tag tags.Tag
			if all.Empty() || !all.ReadAnyASN1(&name, &tag) {
				break
			}
			if tag == tags.Tag(0).ContextSpecific().Constructed() {
				n.add(name)
			}
		}
	}
	return n
}

// add adds an otherName: an object identifier and a value with an explicit tag.
func (n *names) add(name cryptobyte.String) {
	var id asn1.ObjectIdentifier
	var tagged, value cryptobyte.String
	if !name.ReadASN1ObjectIdentifier(&id) || !name.ReadASN1(&tagged, tags.Tag(0).ContextSpecific().Constructed()) || !name.Empty() {
		return
	}
	switch {
	case id.Equal(oidXMPPAddr) && tagged.ReadASN1(&value, tags.UTF8String) && tagged.Empty():
		// An address with a localpart or a resource belongs to a person or a client, not to the server.
		if domain, err := ASCII(string(value)); err == nil {
			n.xmpp = append(n.xmpp, domain)
		}
	case id.Equal(oidSRV) && tagged.ReadASN1(&value, tags.IA5String) && tagged.Empty():
		for _, service := range services {
			domain, found := cutPrefixFold(string(value), service)
			if !found {
				continue
			}
			if domain, err := ASCII(domain); err == nil {
				n.srv = append(n.srv, domain)
			}
		}
	}
}

func cutPrefixFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return "", false
	}
	return s[len(prefix):], true
}

// withoutUnhandledNames is a copy of a certificate for x509, which refuses one whose names are all of kinds that
// it does not know if they are marked as critical; namesOf has read them.
func withoutUnhandledNames(c *x509.Certificate) *x509.Certificate {
	own := *c
	own.UnhandledCriticalExtensions = slices.DeleteFunc(slices.Clone(c.UnhandledCriticalExtensions), oidNames.Equal)
	return &own
}
