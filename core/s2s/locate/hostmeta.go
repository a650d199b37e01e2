package locate

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"net/netip"
	"time"

	"github.com/dragoman-im/dragoman/core/s2s/certificate"
)

// Limits of host-meta-2.
const (
	maxLinks    = 64
	maxKeys     = 16
	directTLS   = "urn:xmpp:alt-connections:s2s-tls" // XEP-0487 §2
	metaPath    = "host-meta.json"
	maxPriority = 1<<16 - 1
)

// metaDocument is the part of a host-meta document that concerns links between servers (RFC 6415 Appendix A, XEP-0487 §2).
type metaDocument struct {
	XMPP *struct {
		TTL  int64    `json:"ttl"`
		Keys []string `json:"public-key-pins-sha-256"`
	} `json:"xmpp"`
	Links []struct {
		Rel      string   `json:"rel"`
		Port     uint16   `json:"port"`
		IPs      []string `json:"ips"`
		Priority int      `json:"priority"`
		Weight   int      `json:"weight"`
		SNI      string   `json:"sni"`
	} `json:"links"`
}

// hostMeta is what a domain says in that document.
type hostMeta struct {
	hosts []weighed
	keys  [][sha256.Size]byte
}

// hostMeta returns the hosts that a domain without SRV records names, if its document is there within metaWait.
func (l *Locator) hostMeta(ctx context.Context, domain string) []weighed {
	if !l.options.HTTPS {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, metaWait)
	defer cancel()
	return l.metaOf(ctx, domain).hosts
}

// metaOf returns what a domain publishes.
func (l *Locator) metaOf(ctx context.Context, domain string) hostMeta {
	m, err := l.meta.get(ctx, domain, func(ctx context.Context) (hostMeta, time.Duration, error) {
		var d metaDocument
		err := l.fetch(ctx, l.wellKnown(domain, metaPath), &d)
		if err == nil && d.XMPP == nil {
			err = errUnpublished // XEP-0487 §2: the document is for clients only
		}
		if err != nil {
			l.debug("no host-meta document", domain, err)
			return hostMeta{}, missingKept(err), nil
		}
		return d.read(), documentKept(d.XMPP.TTL), nil
	})
	if err != nil {
		return hostMeta{}
	}
	return m
}

// read returns what a document says that can be used.
func (d *metaDocument) read() (m hostMeta) {
	for _, text := range d.XMPP.Keys[:min(len(d.XMPP.Keys), maxKeys)] {
		if sum, err := base64.StdEncoding.DecodeString(text); err == nil && len(sum) == sha256.Size {
			m.keys = append(m.keys, [sha256.Size]byte(sum))
		}
	}
	for _, link := range d.Links[:min(len(d.Links), maxLinks)] {
		sni, err := certificate.ASCII(link.SNI)
		if link.Rel != directTLS || link.Port == 0 || err != nil ||
			link.Priority < 0 || link.Priority > maxPriority || link.Weight < 0 || link.Weight > maxPriority {
			continue
		}
		h := host{port: link.Port, direct: true, evidence: certificate.Evidence{
			ServerName: sni, Names: []string{sni}, Keys: m.keys, // XEP-0487 §3: valid for that host or the domain, or the key is pinned
		}}
		for _, text := range link.IPs[:min(len(link.IPs), maxAddresses)] {
			if ip, err := netip.ParseAddr(text); err == nil {
				h.ips = append(h.ips, ip)
			}
		}
		if len(h.ips) > 0 {
			m.hosts = append(m.hosts, weighed{h, uint16(link.Priority), uint16(link.Weight)})
		}
	}
	return m
}
