package msal

import (
	"cmp"
	"os"
	"strings"
)

// noRegion is MSAL's word for no region, whatever MSAL_FORCE_REGION says.
const noRegion = "DisableMsalForceRegion"

// inRegion returns the region to ask, as MSAL finds it; it is looked for once,
// since clients that are made later must agree.
func (o *Options) inRegion() string {
	return cmp.Or(o.Region, os.Getenv("MSAL_FORCE_REGION"), noRegion)
}

// forPeople returns the client that asks for people's tokens: where there is a
// region, one that asks the authority itself. A region's token service has the
// application's own tokens alone, and MSAL would ask it for those of people as
// well.
func (c *Confidential) forPeople() (*Confidential, error) {
	if strings.EqualFold(c.options.Region, noRegion) {
		return c, nil
	}
	people := *c
	people.options.Region = noRegion
	return &people, people.join()
}
