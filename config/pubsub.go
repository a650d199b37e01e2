package config

import "slices"

// Pubsub is section [pubsub].
type Pubsub struct {
	Domain        string `toml:"domain" doc:"Name of the publish-subscribe service of each host, in front of the host's domain. Empty: there is none. Accounts have a service of their own (PEP) in any case."`
	Create        string `toml:"create" doc:"Who may create nodes at that service: 'accounts' of the served hosts, 'admins', or 'nobody'."`
	Nodes         int    `toml:"nodes" doc:"Nodes of one account."`
	Bytes         Bytes  `toml:"bytes" doc:"Bytes of all items of one account."`
	ServiceNodes  int    `toml:"service_nodes" doc:"Nodes of a host's service; one account may create a hundredth of them."`
	ServiceBytes  Bytes  `toml:"service_bytes" doc:"Bytes of all items of a host's service; the nodes that one account has created may have a hundredth of them, but at least pubsub.payload."`
	Items         int    `toml:"items" doc:"Items of one node, also where a client asks for more or for 'max'."`
	Payload       Bytes  `toml:"payload" doc:"Bytes of one item."`
	Subscriptions int    `toml:"subscriptions" doc:"Subscriptions to one node."`
}

func defaultPubsub() Pubsub {
	return Pubsub{
		Domain: "pubsub", Create: "accounts", Nodes: 1000, Bytes: 32 << 20, ServiceNodes: 10_000, ServiceBytes: 1 << 30,
		Items: 1000, Payload: 250_000, Subscriptions: 1000,
	}
}

func (s *Pubsub) validate(p *Problems) {
	if !slices.Contains([]string{"accounts", "admins", "nobody"}, s.Create) {
		p.add("pubsub.create", "%q is not accounts, admins or nobody", s.Create)
	}
	for path, n := range map[string]int64{
		"pubsub.nodes": int64(s.Nodes), "pubsub.bytes": int64(s.Bytes), "pubsub.service_nodes": int64(s.ServiceNodes),
		"pubsub.service_bytes": int64(s.ServiceBytes), "pubsub.items": int64(s.Items), "pubsub.payload": int64(s.Payload),
		"pubsub.subscriptions": int64(s.Subscriptions),
	} {
		positive(p, path, n)
	}
}
