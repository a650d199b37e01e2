package s2s

import (
	"strings"

	"golang.org/x/time/rate"
)

// Rule says how the server communicates with a domain.
type Rule struct {
	Refused      bool // not at all
	Plain        bool // also without TLS
	Certificates bool // only with a valid certificate: dialback alone is not enough
	Limits       *DomainLimits
}

// DomainLimits limit what the servers of some domains send, beside Limits. Nil limits nothing.
type DomainLimits struct {
	stanza  int           // bytes of a stanza; 0: as Limits say
	rate    *rate.Limiter // of the bytes of all their connections; nil: no limit
	stanzas *rate.Limiter // of the stanzas and other elements of all their connections; nil: no limit
}

// NewDomainLimits returns limits for the bytes of a stanza, and for those of all connections a second and at once; 0 means no limit.
func NewDomainLimits(stanza, perSecond, burst int) *DomainLimits {
	d := &DomainLimits{stanza: stanza}
	if perSecond > 0 {
		d.rate = rate.NewLimiter(rate.Limit(perSecond), max(burst, minBurst))
	}
	return d
}

// LimitStanzas limits the stanzas, and the other elements, a second of all connections together; those of stanzaBurst seconds may come at once.
func (d *DomainLimits) LimitStanzas(perSecond int) {
	if perSecond > 0 {
		d.stanzas = rate.NewLimiter(rate.Limit(perSecond), perSecond*stanzaBurst)
	}
}

// Policy has the rule for each domain of other servers.
type Policy struct {
	Default Rule
	Domains map[string]Rule // of a domain and all domains below it
}

// Rule returns the rule of the longest part of a domain that has one.
func (p *Policy) Rule(domain string) Rule {
	for d := domain; ; {
		if r, ok := p.Domains[d]; ok {
			return r
		}
		_, rest, ok := strings.Cut(d, ".")
		if !ok {
			return p.Default
		}
		d = rest
	}
}
