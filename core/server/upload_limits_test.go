package server

import (
	"fmt"

	"github.com/dragoman-im/dragoman/config"
)

// uploadLimits are the limits of uploads and of notifications.
func uploadLimits() []reached {
	u := config.Default().Upload
	// requests asks for slots until one is refused with a condition.
	requests := func(n int, inner, condition string) func(p *testServer) *peer {
		return func(p *testServer) *peer {
			c := p.online("romeo")
			for i := range n {
				c.Send(fmt.Sprintf("<iq type='get' id='u%d' to='upload.home.test'><request xmlns='urn:xmpp:http:upload:0' filename='a' size='10'>%s</request></iq>", i, inner))
			}
			c.Until(condition)
			return nil
		}
	}
	const profile = "<profile xmlns='urn:xmpp:http:upload:purpose:0'/>"
	enable := func(c *peer, nodes int) {
		for i := range nodes {
			c.Send(fmt.Sprintf("<iq type='set' id='p%d'><enable xmlns='urn:xmpp:push:0' jid='push.away.test' node='%d'/></iq>", i, i))
		}
	}
	return []reached{
		{"push.devices", config.Default().Push.Devices, extra{upload: "[push]\ndevices = 1"}, func(p *testServer) *peer {
			c := p.online("romeo")
			enable(c, 2)
			c.Until("<resource-constraint ")
			return nil
		}, ""},
		{"push.errors", config.Default().Push.Errors, extra{upload: "[push]\nerrors = 1"}, func(p *testServer) *peer {
			c := p.online("romeo")
			enable(c, 1)
			c.Send("<presence type='unavailable'/>")
			c.ping()
			p.online("juliet").Send("<message to='romeo@home.test' type='chat'><body>x</body></message>")
			return nil
		}, ""},
		{"upload.size", u.Size, extra{upload: `size = "9 B"`}, requests(1, "", "<file-too-large "), ""},
		{"upload.profile_size", u.ProfileSize, extra{upload: `profile_size = "9 B"`}, requests(1, profile, "<file-too-large "), ""},
		{"upload.profile_files", u.ProfileFiles, extra{upload: `profile_files = 2`}, requests(3, profile, "<resource-constraint "), ""},
		{"upload.daily", u.Daily, extra{upload: "size = \"20 B\"\ndaily = \"25 B\""}, requests(3, "", "<retry "), ""},
		{"upload.daily_files", u.DailyFiles, extra{upload: "daily_files = 2"}, requests(3, "", "<retry "), ""},
		{"upload.total", u.Total, extra{upload: "size = \"20 B\"\ntotal = \"25 B\""}, requests(3, "", "<retry "), ""},
		{"upload.reserve", u.Reserve, extra{upload: "reserve = \"1000000 GiB\""}, requests(1, "", "<resource-constraint "), ""},
	}
}
