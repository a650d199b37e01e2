package config

import (
	"slices"
	"strings"
)

// Component is one [[component]].
type Component struct {
	Domain       string   `toml:"domain" doc:"The component's domain."`
	Secret       string   `toml:"secret" secret:"yes" doc:"The secret that it shares with the server."`
	SecretFile   string   `toml:"secret_file" file:"secret" doc:"File that holds the secret instead."`
	Privileges   []string `toml:"privileges" doc:"What it may do in the names of the served hosts' accounts (XEP-0356): roster, or roster-get or roster-set alone; message; presence, to be told who is online, or presence-roster, to be told of the contacts in all rosters too, which needs roster or roster-get."`
	NoPushes     bool     `toml:"no_roster_pushes" doc:"Whether it is not told of changes in rosters, as a component is that may read them."`
	Requests     []string `toml:"requests" doc:"Requests that it may send in the names of accounts (XEP-0356 §6): a namespace, and before it get, set or both, as in \"set http://jabber.org/protocol/pubsub\". For bookmarks and avatars a gateway needs \"both http://jabber.org/protocol/pubsub\"."`
	Delegated    []string `toml:"delegated" doc:"Namespaces of requests to the served hosts and their accounts that it answers in place of the server (XEP-0355), each with the attributes that a request must have for that: \"urn:xmpp:mam:2 node\", or only \"http://jabber.org/protocol/pubsub\"."`
	Connections  int      `toml:"connections" doc:"Connections that it may have at the same time."`
	Distribution string   `toml:"distribution" doc:"With several connections: standby, where the oldest is used and the next one takes over at its end, or spread, where each sender's stanzas go to one of them."`
	Conflict     string   `toml:"conflict" doc:"When it has all its connections and connects once more: replace, which ends the oldest, or reject."`
	Rate         Bytes    `toml:"rate" doc:"Bytes a second that it may send in the long run, in place of limits.component_rate. 0: that one."`
}

// The values of Component.Distribution and Component.Conflict; empty means the first of each.
const (
	Standby = "standby"
	Spread  = "spread"
	Replace = "replace"
	Reject  = "reject"
)

// privilegeNames are the values of Component.Privileges.
var privilegeNames = []string{"roster", "roster-get", "roster-set", "message", "presence", "presence-roster"}

// undelegated are namespaces whose requests only the server itself can answer: those of delegation and privileges themselves
// (XEP-0355 §7), and service discovery, which is delegated by names of its own.
var undelegated = []string{
	"http://jabber.org/protocol/disco#info", "http://jabber.org/protocol/disco#items",
	"urn:xmpp:delegation:1", "urn:xmpp:delegation:2", "urn:xmpp:privilege:1", "urn:xmpp:privilege:2",
	"urn:ietf:params:xml:ns:xmpp-bind", "urn:ietf:params:xml:ns:xmpp-session",
}

// Request splits an entry of Component.Requests into the types of IQ that are allowed, and the namespace.
func Request(entry string) (get, set bool, namespace string) {
	kind, namespace, found := strings.Cut(strings.TrimSpace(entry), " ")
	if !found {
		return true, true, kind
	}
	return kind == "get" || kind == "both", kind == "set" || kind == "both", strings.TrimSpace(namespace)
}

// Delegation splits an entry of Component.Delegated.
func Delegation(entry string) (namespace string, attributes []string) {
	fields := strings.Fields(entry)
	if len(fields) == 0 {
		return "", nil
	}
	return fields[0], fields[1:]
}

// validate checks a component but for its domain. delegated are the namespaces of those before it.
func (k *Component) validate(p *Problems, path string, delegated map[string]string) {
	if k.Secret == "" {
		p.add(path+".secret", "a component needs a secret")
	}
	for _, grant := range k.Privileges {
		if !slices.Contains(privilegeNames, grant) {
			p.add(path+".privileges", "%q is not one of %s", grant, strings.Join(privilegeNames, ", "))
		}
	}
	has := func(name string) bool { return slices.Contains(k.Privileges, name) }
	if has("presence-roster") && !has("roster") && !has("roster-get") { // XEP-0356 §7.4
		p.add(path+".privileges", "presence-roster needs roster or roster-get")
	}
	for _, entry := range k.Requests {
		get, set, namespace := Request(entry)
		if !get && !set || namespace == "" || strings.ContainsAny(namespace, " \t") {
			p.add(path+".requests", "%q is not get, set or both and a namespace", entry)
		}
	}
	for _, entry := range k.Delegated {
		namespace, _ := Delegation(entry)
		switch other, taken := delegated[namespace]; {
		case namespace == "":
			p.add(path+".delegated", "there is no namespace in %q", entry)
		case slices.Contains(undelegated, namespace):
			p.add(path+".delegated", "%q can only be answered by the server", namespace)
		case taken:
			p.add(path+".delegated", "%q is delegated already by %s", namespace, other)
		}
		delegated[namespace] = path
	}
	k.validateConnections(p, path)
}

func (k *Component) validateConnections(p *Problems, path string) {
	if k.Connections < 0 || k.Connections > maxComponentConnections {
		p.add(path+".connections", "%d is not between 1 and %d", k.Connections, maxComponentConnections)
	}
	if k.Distribution != "" && k.Distribution != Standby && k.Distribution != Spread {
		p.add(path+".distribution", "%q is not standby or spread", k.Distribution)
	}
	if k.Conflict != "" && k.Conflict != Replace && k.Conflict != Reject {
		p.add(path+".conflict", "%q is not replace or reject", k.Conflict)
	}
	if k.Rate < 0 {
		p.add(path+".rate", "%s is less than nothing", k.Rate)
	}
}

// maxComponentConnections is the largest Component.Connections.
const maxComponentConnections = 100
