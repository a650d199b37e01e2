package locate

import (
	"context"
	"encoding/base64"
	"errors"
	"time"

	"github.com/dragoman-im/dragoman/core/s2s/certificate"
)

// maxFingerprints is how many certificates of one document are compared.
const maxFingerprints = 64

var errPOSH = errors.New("the POSH document is not valid")

// poshDocument is one with fingerprints, or a reference to one (RFC 7711 §3.1, §3.2).
type poshDocument struct {
	Fingerprints []map[string]string `json:"fingerprints"`
	URL          string              `json:"url"`
	Expires      int64               `json:"expires"` // seconds
}

// poshOf returns the fingerprints that a domain has published.
func (l *Locator) poshOf(ctx context.Context, domain string) certificate.Evidence {
	e, err := l.posh.get(ctx, domain, func(ctx context.Context) (certificate.Evidence, time.Duration, error) {
		e, kept, err := l.fetchPOSH(ctx, domain)
		if err != nil {
			l.debug("no POSH document", domain, err)
			return certificate.Evidence{}, missingKept(err), nil
		}
		return e, kept, nil
	})
	if err != nil {
		return certificate.Evidence{}
	}
	return e
}

func (l *Locator) fetchPOSH(ctx context.Context, domain string) (e certificate.Evidence, kept time.Duration, err error) {
	var d poshDocument
	if err := l.fetch(ctx, l.wellKnown(domain, "posh/xmpp-server.json"), &d); err != nil { // RFC 7712 §5.2
		return e, 0, err
	}
	kept = documentKept(d.Expires)
	if len(d.Fingerprints) == 0 && d.URL != "" {
		var delegated poshDocument
		if err := l.fetch(ctx, d.URL, &delegated); err != nil {
			return e, 0, err
		}
		if delegated.URL != "" { // RFC 7711 §3.2: a reference does not lead to another one
			return e, 0, errPOSH
		}
		d.Fingerprints, kept = delegated.Fingerprints, min(kept, documentKept(delegated.Expires))
	}
	for _, one := range d.Fingerprints[:min(len(d.Fingerprints), maxFingerprints)] {
		for _, hash := range []string{"sha-256", "sha-384", "sha-512"} {
			if sum, err := base64.StdEncoding.DecodeString(one[hash]); err == nil && len(sum) > 0 {
				e.Fingerprints = append(e.Fingerprints, certificate.Fingerprint{Hash: hash, Sum: sum})
			}
		}
	}
	if len(e.Fingerprints) == 0 {
		return e, 0, errPOSH
	}
	return e, kept, nil
}

// published is what a domain says over HTTPS about certificates.
func (l *Locator) published(domain string) (e certificate.Evidence) {
	if !l.options.HTTPS {
		return e
	}
	ctx, cancel := context.WithTimeout(l.base, evidenceWait)
	defer cancel()
	meta := make(chan hostMeta, 1)
	l.all.Go(func() { meta <- l.metaOf(ctx, domain) })
	e = l.poshOf(ctx, domain)
	m := <-meta
	e.Keys = m.keys
	return e
}

// anyServer is what a domain says, over HTTPS or in DNS, about the certificates of all its servers.
func (l *Locator) anyServer(domain string) certificate.Evidence {
	ctx, cancel := context.WithTimeout(l.base, evidenceWait)
	defer cancel()
	records := make(chan certificate.Evidence, 1)
	l.all.Go(func() {
		var e certificate.Evidence
		defer func() { records <- e }()
		hosts, err := l.hosts(ctx, domain)
		if err != nil {
			return
		}
		for _, h := range hosts {
			e.Names = append(e.Names, h.evidence.Names...)
			if h.secure && h.name != "" && l.options.DANE {
				found, _ := l.tlsa(ctx, h) // what cannot be found does not count
				e.TLSA = append(e.TLSA, found...)
			}
		}
	})
	e := l.published(domain)
	more := <-records
	e.Names, e.TLSA = more.Names, more.TLSA
	return e
}

func (l *Locator) debug(text, domain string, err error) {
	if l.options.Log != nil {
		l.options.Log.Debug(text, "domain", domain, "err", err)
	}
}
