package convert

// Limits of what a network may bring.
const (
	MaxID        = 255  // bytes of a network's id
	MaxName      = 256  // bytes of a name shown
	MaxURL       = 4096 // bytes of an address of a file or call
	MaxTopic     = 4000 // bytes
	MaxFiles     = 20   // files shown of one message
	MaxParts     = 50   // parts of one text
	MaxReactions = 50   // of one person to one message
)
