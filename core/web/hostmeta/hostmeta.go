package hostmeta

import (
	"encoding/json"
	"encoding/xml"
	"net"
	"net/http"
	"strings"

	"github.com/dragoman-im/dragoman/core/spec"
	"github.com/dragoman-im/dragoman/core/web"
)

// Relations of links (XEP-0156 §4).
const (
	WebSocket = "urn:xmpp:alt-connections:websocket"
	BOSH      = "urn:xmpp:alt-connections:xbosh"
)

const (
	path     = "/.well-known/host-meta" // RFC 6415 §2
	jsonPath = path + ".json"           // RFC 6415 §3
)

// Link is a link of a document.
type Link struct {
	Rel  string `xml:"rel,attr" json:"rel"`
	Href string `xml:"href,attr" json:"href"`
}

// Document is what is published of one host.
type Document struct {
	XMLName struct{} `xml:"http://docs.oasis-open.org/ns/xri/xrd-1.0 XRD" json:"-"`
	Links   []Link   `xml:"Link" json:"links"`
}

// ForClients returns the links by which clients connect over HTTP, below the address of the web server. There are none without TLS
// (XEP-0156 §5).
func ForClients(address string) []Link {
	rest, ok := strings.CutPrefix(address, "https://")
	if !ok {
		return nil
	}
	return []Link{{WebSocket, "wss://" + rest + web.WebSocketPath}}
}

// Documents are those of all hosts.
type Documents struct {
	byHost map[string][2][]byte // XML and JSON
	first  [2][]byte            // for a host that is not among them, as behind a proxy that does not say which one is meant
}

// Add adds the document of a host. Call it before Routes.
func (d *Documents) Add(host string, doc Document) error {
	asXML, err := xml.Marshal(doc)
	if err != nil {
		return err
	}
	asJSON, err := json.Marshal(doc)
	if err != nil {
		return err
	}
	texts := [2][]byte{append([]byte(xml.Header), asXML...), asJSON}
	if d.byHost == nil {
		d.byHost, d.first = map[string][2][]byte{}, texts
	}
	d.byHost[host] = texts
	return nil
}

// Routes returns the routes.
func (d *Documents) Routes() []web.Route {
	return []web.Route{
		{Pattern: "GET " + path, Handler: d.handler(0, "application/xrd+xml; charset=utf-8")},
		{Pattern: "GET " + jsonPath, Handler: d.handler(1, "application/json")},
	}
}

func (d *Documents) handler(form int, kind string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if name, _, err := net.SplitHostPort(host); err == nil {
			host = name
		}
		texts, ok := d.byHost[strings.ToLower(host)]
		if !ok {
			texts = d.first
		}
		w.Header().Set("Content-Type", kind)
		w.Header().Set("Access-Control-Allow-Origin", "*") // XEP-0156 §3: for clients in browsers
		_, _ = w.Write(texts[form])
	})
}

// Specs are the extensions that the package implements.
func Specs() []spec.Spec {
	return []spec.Spec{{Number: "0156", Title: "Discovering Alternative XMPP Connection Methods", Version: "1.4.0", State: spec.Complete, Note: "For hosts that clients reach by https."}}
}
