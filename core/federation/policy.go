package federation

import (
	"fmt"
	"strings"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/s2s"
)

// rules are what a configuration says about domains, each with those below it.
type rules struct {
	rows    map[string]config.FederationDomain
	limits  map[string]*s2s.DomainLimits // of the rows that have any
	blocked map[string]bool              // or allowed, if false
}

// policy returns the rules of a configuration. Whether the server communicates with a domain is decided by the row with the longest name
// that says it, then by the longest name on the lists, where block comes before allow, and then by the default: yes, unless there is a list
// of allowed domains. How it communicates is decided by the row with the longest name, then by the section.
func policy(c config.Config) (s2s.Policy, error) {
	f := c.Federation
	p := s2s.Policy{Default: s2s.Rule{Plain: !f.TLS, Certificates: f.Certificate, Refused: len(f.Allow) > 0}, Domains: map[string]s2s.Rule{}}
	r := rules{rows: map[string]config.FederationDomain{}, limits: map[string]*s2s.DomainLimits{}, blocked: map[string]bool{}}
	for _, row := range c.Remotes {
		d, err := jid.Parse(row.Domain)
		if err != nil {
			return p, fmt.Errorf("federation_domain: %w", err)
		}
		row.Domain = d.String()
		r.rows[row.Domain] = row
		if row.StanzaBytes > 0 || row.Rate > 0 || row.StanzaRate > 0 {
			limits := s2s.NewDomainLimits(int(row.StanzaBytes), int(row.Rate), int(f.Burst))
			limits.LimitStanzas(row.StanzaRate)
			r.limits[row.Domain] = limits
		}
	}
	if err := r.list("federation.allow", f.Allow, false); err != nil {
		return p, err
	}
	if err := r.list("federation.block", f.Block, true); err != nil {
		return p, err
	}
	for d := range r.rows {
		p.Domains[d] = r.of(d, p.Default)
	}
	for d := range r.blocked {
		p.Domains[d] = r.of(d, p.Default)
	}
	return p, nil
}

// list adds one of the lists of the section.
func (r *rules) list(path string, names []string, blocked bool) error {
	for _, name := range names {
		d, err := jid.Parse(name)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		r.blocked[d.String()] = blocked
	}
	return nil
}

// of returns the rule of a domain.
func (r *rules) of(domain string, rule s2s.Rule) s2s.Rule {
	if row, ok := longest(domain, func(d string) (config.FederationDomain, bool) {
		row, ok := r.rows[d]
		return row, ok
	}); ok {
		rule.Plain, rule.Certificates, rule.Limits = row.Plain, row.Certificate, r.limits[row.Domain]
	}
	if blocked, ok := longest(domain, func(d string) (bool, bool) {
		row := r.rows[d]
		return row.Access == "block", row.Access != ""
	}); ok {
		rule.Refused = blocked
	} else if blocked, ok := longest(domain, func(d string) (bool, bool) {
		blocked, ok := r.blocked[d]
		return blocked, ok
	}); ok {
		rule.Refused = blocked
	}
	return rule
}

// longest returns what find has for a domain, or for the nearest one above it.
func longest[T any](domain string, find func(string) (T, bool)) (found T, ok bool) {
	for {
		if found, ok = find(domain); ok {
			return found, true
		}
		if _, domain, ok = strings.Cut(domain, "."); !ok {
			return found, false
		}
	}
}
