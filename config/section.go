package config

import (
	"fmt"
	"reflect"
	"strings"
)

// Section is the section of a network. Package config reads it and validates the settings that all networks have;
// the meaning of the others is known to the network only.
type Section struct {
	Name string // "slack"
	Doc  string // one line
	// Settings points to a struct that embeds Network and contains the defaults. Each field has a toml
	// and a doc tag. A secret has the tag secret:"yes" and a second field whose name ends in File;
	// a path of a file has the tag file:"yes". Load fills it in.
	Settings any
}

// Network contains the settings that all networks have.
type Network struct {
	Enabled    bool   `toml:"enabled" doc:"Whether this gateway runs."`
	Domain     string `toml:"domain" doc:"Its domain. Empty: the section's name, a dot and the first served host."`
	Secret     string `toml:"secret" secret:"yes" doc:"For 'dragoman component': the secret shared with the foreign server."`
	SecretFile string `toml:"secret_file" file:"secret" doc:"File that holds the secret instead."`
}

// network gives access to the Network in any struct that embeds it.
func (n *Network) network() *Network { return n }

// Validator may be implemented by Settings. Validate calls problem with the key of a setting and a description of the error.
type Validator interface {
	Validate(problem func(key, format string, args ...any))
}

// Network returns the part of the section that all networks have.
func (s Section) Network() *Network {
	return s.Settings.(interface{ network() *Network }).network()
}

// section returns the section of a network.
func (c *Config) section(name string) (Section, bool) {
	for _, s := range c.Sections {
		if strings.EqualFold(s.Name, name) {
			return s, true
		}
	}
	return Section{}, false
}

// checkSections panics if a section is malformed, which is a programming error.
func checkSections(sections []Section) {
	seen := map[string]bool{}
	for own := range reflect.TypeFor[Config]().Fields() {
		seen[own.Tag.Get("toml")] = true
	}
	for _, s := range sections {
		if _, ok := s.Settings.(interface{ network() *Network }); !ok || s.Name == "" || s.Doc == "" || seen[s.Name] {
			panic(fmt.Sprintf("config: section %q needs a name of its own, a doc and settings that embed Network", s.Name))
		}
		seen[s.Name] = true
	}
}

// validate checks the settings that all networks have, then calls Validator.
func (s Section) validate(p *Problems) {
	if v, ok := s.Settings.(Validator); ok {
		v.Validate(func(key, format string, args ...any) { p.add(s.Name+"."+key, format, args...) })
	}
}
