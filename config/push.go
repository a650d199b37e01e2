package config

// Push is section [push].
type Push struct {
	Devices  int  `toml:"devices" doc:"Push services that one account may enable."`
	Errors   int  `toml:"errors" doc:"Errors in a row after which a push service is disabled; between them it is left alone for longer and longer."`
	Contents bool `toml:"contents" doc:"Whether notifications contain the sender and the text of the last message. They pass through servers of the makers of clients and phones."`
}

func (c *Push) validate(p *Problems) {
	positive(p, "push.devices", int64(c.Devices))
	positive(p, "push.errors", int64(c.Errors))
}
