// What libanswer.so is to offer.

#pragma once

int the_answer();
