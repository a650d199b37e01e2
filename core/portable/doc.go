// Package portable exports accounts with all that belongs to them, and imports them, also those of other servers.
//
// An account is a sequence of records (record.go), beginning with that of kind Made. Export reads them from the
// store, an Importer writes them to it. There are two formats: XEP-0227, which ejabberd and Prosody write (xml_read.go,
// xml_write.go), and lines of JSON, one for each record (json.go). All of them handle one record after the other, so that
// an archive of any size takes little memory.
//
// A node that an account has already stays as it is, and gets an item only if it has room for it. An access model of another server
// that is not known becomes the strictest one.
//
// Imported messages keep their ids and times. What an account has already is not imported again, so an import that was
// interrupted is simply repeated. While an Importer writes no server uses the store.
//
// The package starts no goroutine.
//
// Specifications: XEP-0227, XEP-0297, XEP-0313.
package portable
