package config

import (
	"fmt"
	"reflect"
	"strings"
)

// Section is a section of the configuration that belongs to a network: config knows its form, and what
// it has in common with those of the other networks, but not what it means.
type Section struct {
	Name string // "slack"
	Doc  string // one line
	// Settings points to a struct that embeds Network, with the defaults in it. Each field has a toml
	// and a doc tag; a secret has the tag secret:"yes" and a field of the same name with File behind it,
	// and a path of this machine the tag file:"yes". Load fills it.
	Settings any
}

// Network is what the sections of all networks begin with.
type Network struct {
	Enabled    bool   `toml:"enabled" doc:"Whether this gateway runs."`
	Domain     string `toml:"domain" doc:"Its domain. Empty: the section's name, a dot and the first served host."`
	Secret     string `toml:"secret" secret:"yes" doc:"For 'dragoman component': the secret shared with the foreign server."`
	SecretFile string `toml:"secret_file" file:"secret" doc:"File that holds the secret instead."`
}

// network makes Network part of the structs that embed it.
func (n *Network) network() *Network { return n }

// Validator is what Settings may be too. problem takes the key of a setting and what is wrong with it.
type Validator interface {
	Validate(problem func(key, format string, args ...any))
}

// Network returns the part of the section that all networks have.
func (s Section) Network() *Network {
	return s.Settings.(interface{ network() *Network }).network()
}

// section finds the settings of a network.
func (c *Config) section(name string) (Section, bool) {
	for _, s := range c.Sections {
		if strings.EqualFold(s.Name, name) {
			return s, true
		}
	}
	return Section{}, false
}

// checkSections panics where a section cannot be one: the caller's mistake.
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

// validate checks what is common, then what the network knows.
func (s Section) validate(p *Problems) {
	if v, ok := s.Settings.(Validator); ok {
		v.Validate(func(key, format string, args ...any) { p.add(s.Name+"."+key, format, args...) })
	}
}
