package config

import "net/url"

// Status is section [status].
type Status struct {
	Addresses []string `toml:"addresses" doc:"Addresses (https) of files that say whether the server is out of service, for clients that cannot connect to it (XEP-0455). The files are not on this machine; they are empty JSON objects, or have the members beginning, expected_end, planned and message. Name only addresses that you trust: clients show what is written there."`
}

func (s *Status) validate(p *Problems) {
	for _, a := range s.Addresses {
		if u, err := url.Parse(a); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
			p.add("status.addresses", "%q is not an address such as https://status.example.net/example.org.json", a)
		}
	}
}
