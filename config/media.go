package config

import "time"

// Media is section [media].
type Media struct {
	Enabled bool     `toml:"enabled" doc:"Whether files of the networks have addresses at the HTTP listener, below /media/, where they stay available: those of the networks need a login, or are good for a day. Without a public address of the listener (web.url) they keep the networks' own; as a component of another server dragoman listens only where web.url is set."`
	Size    Bytes    `toml:"size" doc:"Size of one file; a larger one keeps the network's own address."`
	Cache   Bytes    `toml:"cache" doc:"Bytes of the files that are kept on the disk together. When there are more, those that nobody has asked for for longest go first; they are read from the network again when somebody asks for them. The disk has upload.reserve left."`
	Keep    Duration `toml:"keep" doc:"How long a file is kept on the disk that nobody asks for. 0: as long as there is room."`
	Private []string `toml:"private" doc:"Private networks from which the files that users send are fetched, to be sent to a network as files: that of an upload service beside this server, for example. By http only if the address of a file has the IP address of the host and not its name. Others are fetched from public addresses only, by https."`
	Hosts   []string `toml:"hosts" doc:"The only hosts from which files that users send are fetched, to be sent to a network as files, besides this server's own; messages with others carry links. Empty: all."`
	Fetches int      `toml:"fetches" doc:"Files that are read from one network at a time; others wait."`

	AddressRate int `toml:"address_rate" doc:"Files a minute that are read from the networks because clients of one address ask for them; what is kept here does not count. 0: no limit."`
	LoginRate   int `toml:"login_rate" doc:"Files a minute that are read from a network by one login, so that requests for files leave enough of the calls that the network allows it. 0: no limit."`
}

func defaultMedia() Media {
	return Media{Enabled: true, Size: 1 << 30, Cache: 4 << 30, Keep: Duration(30 * 24 * time.Hour), Fetches: 8, AddressRate: 300, LoginRate: 100}
}

func (m *Media) validate(p *Problems) {
	positive(p, "media.size", int64(m.Size))
	positive(p, "media.fetches", int64(m.Fetches))
	if m.AddressRate < 0 {
		p.add("media.address_rate", "%d is negative", m.AddressRate)
	}
	if m.LoginRate < 0 {
		p.add("media.login_rate", "%d is negative", m.LoginRate)
	}
	if m.Cache < m.Size {
		p.add("media.cache", "%s is less than media.size (%s), so the largest file could never be served", m.Cache, m.Size)
	}
	for _, text := range m.Private {
		if _, err := ParseNetwork(text); err != nil {
			p.add("media.private", "%q is not an address or a network such as 192.0.2.0/24", text)
		}
	}
	if m.Keep < 0 {
		p.add("media.keep", "%s is negative", m.Keep)
	}
}
