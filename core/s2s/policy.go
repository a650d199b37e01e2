package s2s

import "strings"

// Rule says how the server communicates with a domain.
type Rule struct {
	Refused      bool // not at all
	Plain        bool // also without TLS
	Certificates bool // only with a valid certificate: dialback alone is not enough
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
