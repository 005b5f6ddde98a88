// Memory that is about to be written from end to end costs fewer page faults in huge pages.
#pragma once

#include <cstddef>

namespace covrl::kernels {

// Asks for huge pages where the system offers them; a hint that may do nothing.
void prefer_huge_pages(void* data, size_t bytes);

}  // namespace covrl::kernels
