package config

import (
	"slices"
	"strconv"
)

// validateRetention checks that each entry is about another served host.
func (c *Config) validateRetention(p *Problems) {
	seen := map[string]bool{}
	for i, r := range c.Retention {
		path := "retention[" + strconv.Itoa(i) + "]"
		if !slices.Contains(c.Server.Hosts, r.Host) {
			p.add(path+".host", "%q is not a served host: server.hosts names %v", r.Host, c.Server.Hosts)
		}
		if seen[r.Host] {
			p.add(path+".host", "there is another entry for %s already", r.Host)
		}
		seen[r.Host] = true
		if r.Archive < 0 {
			p.add(path+".archive", "a time is not negative")
		}
	}
}
