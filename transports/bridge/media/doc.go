// Package media gives the files of networks addresses on this server's HTTP listener, at which they stay available: those of the networks
// need a login, or are good for a day.
//
// Links makes the address of a file: it contains 160 bits that only the keys of the gateways can make, and is the same each time that the
// message is processed. What the address stands for is a row beside the message (tables.Media), which goes with the message.
//
// Service answers requests. A file is read from the network when somebody asks for it for the first time, by a login that sees the message,
// and is served while it comes. It is kept in a Cache on the disk, whose size is bounded: what was not asked for for longest goes first,
// and is read again when it is needed. A file is read once, however many ask for it. Nothing is fetched from an address that a message of
// the network contains: a Source has the network's own client read it. Whoever knows an address may ask without a login: what could not be read is not asked for
// again for a time, and readings are limited for each address of a client and for each login (Rates).
//
// Fetcher is for the other direction: it reads the files whose addresses messages from XMPP contain, so that networks get them as files. Files of
// this server are read without HTTP, others by https, from public addresses and from those that the configuration allows.
//
// A file is received in a goroutine of its gateway's Group, which ends it. Locks: Service.mu, Cache.mu and file.mu, in that order;
// none is held across I/O but that of the removal of a file.
//
// Specifications: XEP-0066, 0363 §9.1 (headers), 0446, 0447.
package media
