package locate

import (
	"context"
	"errors"

	"github.com/dragoman-im/dragoman/core/s2s"
	"github.com/dragoman-im/dragoman/core/s2s/certificate"
)

// Servers returns what decides about the certificates of all servers of a domain to which this process could connect. Where DNSSEC protects TLSA
// records of one of them, a certificate has to match one (RFC 7673 §4.2). An error says that the records cannot be had, and that whoever
// suppresses them may be the reason.
func (l *Locator) Servers(domain string) (e certificate.Evidence, err error) {
	ascii, err := certificate.ASCII(domain)
	if err != nil {
		return e, err
	}
	ctx, cancel := context.WithTimeout(l.base, evidenceWait)
	defer cancel()
	hosts, err := l.hosts(ctx, ascii)
	if err != nil && !errors.Is(err, s2s.ErrNotFound) {
		return e, err
	}
	e.Lookup = func() certificate.Evidence { return l.published(ascii) }
	for _, h := range hosts {
		e.Names = append(e.Names, h.evidence.Names...)
		e.Keys = append(e.Keys, h.evidence.Keys...)
		if !h.secure || h.name == "" || !l.options.DANE {
			continue
		}
		found, err := l.tlsa(ctx, h)
		if err != nil {
			return certificate.Evidence{}, err
		}
		e.TLSA = append(e.TLSA, found...)
	}
	return e, nil
}
