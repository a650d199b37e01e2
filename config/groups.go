package config

import (
	"slices"
	"strconv"
	"strings"
)

const maxGroupName = 255 // bytes

// validateGroups checks that each shared group belongs to a served host and has members of that host.
func (c *Config) validateGroups(p *Problems) {
	seen := map[[2]string]bool{}
	for i, g := range c.Groups {
		path := "shared_group[" + strconv.Itoa(i) + "]"
		if strings.TrimSpace(g.Name) == "" || len(g.Name) > maxGroupName {
			p.add(path+".name", "a group needs a name of at most %d bytes", maxGroupName)
		}
		if seen[[2]string{g.Host, g.Name}] {
			p.add(path+".name", "%q is another group of %s already", g.Name, g.Host)
		}
		seen[[2]string{g.Host, g.Name}] = true
		if !slices.Contains(c.Server.Hosts, g.Host) {
			p.add(path+".host", "%q is not a served host: server.hosts names %v", g.Host, c.Server.Hosts)
		}
		if len(g.Members) == 0 {
			p.add(path+".members", "name the members, or \"everyone\"")
		}
		if n := len(g.Members); n > c.Limits.GroupMembers {
			p.add(path+".members", "%d members are more than limits.group_members", n)
		}
		if g.Everyone() {
			continue
		}
		for _, m := range g.Members {
			if local, host, ok := strings.Cut(m, "@"); !ok || local == "" || host != g.Host {
				p.add(path+".members", "%q is not an address such as ann@%s", m, g.Host)
			}
		}
	}
}
