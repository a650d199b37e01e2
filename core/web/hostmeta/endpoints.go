package hostmeta

import "net/netip"

// Relations of links with an Endpoint (XEP-0487 §2.1).
const (
	clientTLS = "urn:xmpp:alt-connections:tls"
	serverTLS = "urn:xmpp:alt-connections:s2s-tls"
)

// ttl is how long a document may be kept, in seconds.
const ttl = 3600

// All links of a document are as good as each other.
const (
	priority = 10
	weight   = 50
)

// Complete says that a document has all ways to connect: SRV records are not asked for (XEP-0487 §2.2).
type Complete struct {
	TTL int `json:"ttl"`
}

// Endpoint is where TLS begins, in the form in JSON only (XEP-0487 §2.1).
type Endpoint struct {
	Port     uint16       `xml:"-" json:"port,omitempty"` // 0: that of the link's address
	IPs      []netip.Addr `xml:"-" json:"ips"`
	Priority int          `xml:"-" json:"priority"`
	Weight   int          `xml:"-" json:"weight"`
	SNI      string       `xml:"-" json:"sni"`
}

// Public is where the server can be reached from outside.
type Public struct {
	Addresses          []netip.Addr // none: documents have no Endpoint
	Clients, Servers   uint16       // ports for direct TLS (XEP-0368); 0: none
	WebSocketOnOurHost bool         // the web server is at these addresses, too, and not behind a proxy elsewhere
}

// Document returns the document of a host. links are what clients connect by over HTTP; without Addresses the document has nothing else.
func (p Public) Document(domain string, links []Link) Document {
	if len(p.Addresses) == 0 {
		return Document{Links: links}
	}
	d := p.Below(domain)
	if p.Clients != 0 {
		d.Links = append(d.Links, Link{Rel: clientTLS, Endpoint: p.endpoint(domain, p.Clients)})
	}
	for _, l := range links {
		if p.WebSocketOnOurHost {
			l.Endpoint = p.endpoint(domain, 0)
		}
		d.Links = append(d.Links, l)
	}
	return d
}

// Below returns the document of a domain to which only other servers connect.
func (p Public) Below(domain string) Document {
	d := Document{Complete: &Complete{TTL: ttl}}
	if p.Servers != 0 {
		d.Links = append(d.Links, Link{Rel: serverTLS, Endpoint: p.endpoint(domain, p.Servers)})
	}
	return d
}

func (p Public) endpoint(domain string, port uint16) *Endpoint {
	return &Endpoint{Port: port, IPs: p.Addresses, Priority: priority, Weight: weight, SNI: domain}
}
